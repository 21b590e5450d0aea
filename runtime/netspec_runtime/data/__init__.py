"""Prepared data: pictures as one full-speed array on disk, made of what people have. It trains nothing."""
