"""The jinja2 templates of the backends and reports: finished strings only, no rules."""
