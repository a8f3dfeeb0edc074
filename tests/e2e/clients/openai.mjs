// npm `openai`: what a program gets that asks Omni, and what its user reads where it gets nothing.
import OpenAI from "openai";

async function ask({ base_url, key, model, stream, retries, ...fields }) {
  const client = new OpenAI({ baseURL: base_url, apiKey: key, maxRetries: retries });
  const request = { model, messages: [{ role: "user", content: "Which weather?" }], ...fields };
  if (!stream) return (await client.chat.completions.create(request)).choices[0].message.content;
  let text = "";
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true }))
    text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

const told = [];
for (const asked of JSON.parse(process.env.ASKED))
  told.push(await ask(asked).then((said) => ({ said }), (error) => ({ refused: error.message, status: error.status })));
console.log(JSON.stringify(told));
