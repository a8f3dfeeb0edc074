// npm `ai` with `@ai-sdk/openai-compatible`: what a program gets that asks Omni, and what its user reads where it gets nothing.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

async function ask({ base_url, key, model, stream, retries, ...fields }) {
  const omni = createOpenAICompatible({ name: "omni", baseURL: base_url, apiKey: key });
  const request = { model: omni(model), prompt: "Which weather?", maxRetries: retries, providerOptions: { omni: fields } };
  if (!stream) return (await generateText(request)).text;
  let text = "";
  for await (const part of streamText({ ...request, onError: () => {} }).fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "text-delta") text += part.text;
  }
  return text;
}

// What is no Error is shown as it is.
const shown = (error) => ({ refused: error.message ?? String(error), status: (error.lastError ?? error).statusCode });
const told = [];
for (const asked of JSON.parse(process.env.ASKED)) told.push(await ask(asked).then((said) => ({ said }), shown));
console.log(JSON.stringify(told));
