"""The JSON schema of the language, for editors, made of the layer and spec classes. `netspec validate` does without."""

from netspec.schema.document import schema_document

__all__ = ["schema_document"]
