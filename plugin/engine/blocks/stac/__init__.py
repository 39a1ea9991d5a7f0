"""Imagery of the real world from any STAC API: searched, clipped by windowed reads over HTTP. No account is needed."""
