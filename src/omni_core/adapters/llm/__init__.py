"""Model providers: OpenAI-compatible endpoints, Anthropic, and Omni's own engine."""
