"""The configuration: schema, recipes, methods, the demo's values, messages and generated texts."""
