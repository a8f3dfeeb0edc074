"""Language models: one message model, one port, a catalogue of models, and the gateway in front of them."""
