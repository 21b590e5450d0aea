"""Importers: files of other tools to a Spec, with a remark for each decision. They write no file and run no net."""
