"""Tables, figures and galleries for people."""
