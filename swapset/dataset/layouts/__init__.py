"""Layouts of public datasets on disk: a module for each family, all read into the same records."""
