"""Sends what the SDK sends to api.up42.com to an engine on loopback instead, and nothing else anywhere.

The one change that is made for the SDK (contract 9.2, option 2): where its requests go. Import before `up42`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

SDK_HOST = "api.up42.com"


def redirect(base_url: str) -> None:
    """From now on, requests to the SDK's host go to `base_url`; those to other computers fail."""
    send = requests.adapters.HTTPAdapter.send
    own = urlsplit(base_url).hostname

    def send_here(self, request, **options):
        parts = urlsplit(request.url)
        if parts.hostname == SDK_HOST:
            request.url = base_url + parts.path + (f"?{parts.query}" if parts.query else "")
        elif parts.hostname != own:
            raise AssertionError(f"The SDK wanted to go to {parts.hostname}")
        return send(self, request, **options)

    requests.adapters.HTTPAdapter.send = send_here
