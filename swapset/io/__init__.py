"""Files that appear whole, and bounded readers for untrusted text and arrays."""
