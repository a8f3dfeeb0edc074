"""The price table: what each model's meters cost, from when on, above which context length."""
