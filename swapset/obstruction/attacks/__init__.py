"""Attacks on landmark extraction: the chapter's five, and one that survives compression."""
