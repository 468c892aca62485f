"""All of configuration: schema, recipes, methods, the demo's values, messages and their texts."""
