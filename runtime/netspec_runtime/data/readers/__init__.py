"""Readers: one file for each form in which people have pictures. None of them decodes one."""
