"""What only this engine has: attaching to it, its lease, its settings, its folders of scenes."""

from __future__ import annotations

import os
import socket
from http.server import BaseHTTPRequestHandler

from .answers import Answer, bare_json, enveloped, nothing
from .lease import Life
from .network import NetworkSettingsError
from .proof import is_nonce, proof
from .refusal import Refusal, invalid, not_found
from .routing import Access, Call, Route
from .scene_folders import delete_scene_folder, put_scene_folder, scene_folders
from .server import Sendable

BEAT_SECONDS = 5.0  # how often a byte goes out over a lease


class LeaseAnswer:
    """An answer that never ends by itself: for as long as the caller keeps it open, the engine lives."""

    def __init__(self, life: Life):
        self._life = life

    def send(self, handler: BaseHTTPRequestHandler) -> None:
        """Send a byte now and then, until the caller has closed the connection or is gone."""
        handler.close_connection = True
        try:
            handler.send_response(200)
            handler.send_header("Content-Type", "text/plain")
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.connection.settimeout(BEAT_SECONDS)
            while True:
                handler.wfile.write(b"1\r\n\n\r\n")
                handler.wfile.flush()
                if _has_ended(handler.connection):
                    return
        finally:
            self._life.close_lease()


def _has_ended(connection: socket.socket) -> bool:
    """Wait for one beat; True at once where the caller closes the connection."""
    try:
        return connection.recv(1024) == b""
    except socket.timeout:
        return False


def open_lease(call: Call) -> Sendable:
    """`GET /engine/lease`."""
    if not call.engine.life.open_lease():
        raise Refusal(503, "The engine is ending: start it again.")
    return LeaseAnswer(call.engine.life)


def describe(call: Call) -> Answer:
    """`GET /engine`: what runs here."""
    life = call.engine.life
    return enveloped({"pid": os.getpid(), "leases": life.leases, "stays": life.stays})


def prove(call: Call) -> Answer:
    """`GET /engine/proof?nonce=…`: shows to a client that this is its engine, before that sends a key."""
    nonce = call.request.one("nonce")
    if not is_nonce(nonce):
        raise invalid("nonce must be 32 to 128 hexadecimal digits.")
    return enveloped({"proof": proof(call.engine.keys.free_project_key, call.request.origin, nonce or "")})


def attach(call: Call) -> Answer:
    """`POST /engine/attach`: a second starter asks to share this engine; body {"stay": bool, "settings": {…}}."""
    wish = call.request.json()
    if not isinstance(wish, dict):
        raise invalid('The body must be {"stay": true or false, "settings": {…}}.')
    if wish.get("settings") is not None:
        _change_network(call, wish["settings"])
    if not call.engine.life.attach(bool(wish.get("stay"))):
        raise Refusal(503, "The engine is ending: start it again.")
    return enveloped({"attached": True})


def change_settings(call: Call) -> Answer:
    """`POST /engine/settings`: {"proxy": URL or null, "ca_pem": PEM text or null}; replaces what was."""
    _change_network(call, call.request.json())
    return nothing()


def _change_network(call: Call, settings: object) -> None:
    try:
        call.engine.network.change(settings)
    except NetworkSettingsError as e:
        raise invalid(str(e)) from e


def list_scene_folders(call: Call) -> Answer:
    """`GET /engine/scene-folders`."""
    return enveloped(scene_folders(call.engine.store))


def add_scene_folder(call: Call) -> Answer:
    """`POST /engine/scene-folders`: {"path", "name"?, "licence"?, "attribution"?}."""
    body = call.request.json()
    if not isinstance(body, dict) or not isinstance(body.get("path"), str):
        raise invalid('The body must be {"path": "…", "name": "…", "licence": "…", "attribution": "…"}.')
    texts = {key: body.get(key) or "" for key in ("path", "name", "licence", "attribution")}
    wrong = [key for key, value in texts.items() if not isinstance(value, str)]
    if wrong:
        raise invalid(f"“{wrong[0]}” must be a text.")
    if not os.path.isabs(texts["path"]) or not os.path.isdir(texts["path"]):
        raise invalid(f"There is no folder {texts['path']}: give the full path of a folder on this computer.")
    path = os.path.normpath(texts["path"])
    name = texts["name"] or os.path.basename(path)
    return enveloped(put_scene_folder(call.engine.store, path, name, texts["licence"], texts["attribution"]))


def remove_scene_folder(call: Call) -> Answer:
    """`DELETE /engine/scene-folders/{id}`: forget it; its files stay."""
    if not delete_scene_folder(call.engine.store, call.name("id")):
        raise not_found(f"There is no scene folder {call.name('id')}")
    return nothing()


def not_an_answer(call: Call) -> Answer:
    """`GET /`: a person has opened the address in a browser."""
    return bare_json({"error": None, "data": {"name": "UP42 Jobs, local engine"}})


ROUTES = [
    Route("GET", "/", not_an_answer, Access.ANYONE),
    Route("GET", "/engine/proof", prove, Access.ANYONE),
    Route("GET", "/engine", describe, Access.KEY_HOLDER),
    Route("GET", "/engine/lease", open_lease, Access.KEY_HOLDER),
    Route("POST", "/engine/attach", attach, Access.KEY_HOLDER),
    Route("POST", "/engine/settings", change_settings, Access.KEY_HOLDER),
    Route("GET", "/engine/scene-folders", list_scene_folders, Access.KEY_HOLDER),
    Route("POST", "/engine/scene-folders", add_scene_folder, Access.KEY_HOLDER),
    Route("DELETE", "/engine/scene-folders/{id}", remove_scene_folder, Access.KEY_HOLDER),
]
