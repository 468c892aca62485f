"""Attacks on landmark extraction: base class, the chapter's five, and one that outlasts compression."""
