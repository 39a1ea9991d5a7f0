"""What is sent to a webhook: a JSON body, and headers that let the receiver check who has sent it (contract 2.9)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from email.utils import formatdate
from typing import Any, Mapping, Optional

from .answers import JSON_TYPE

SIGNED_HEADERS = ("date", "digest", "content-type")  # the digest (RFC 3230) binds the body


def body_of(event: str, delivery: Mapping[str, Any], project_id: str) -> bytes:
    """The body of a delivery. `jobTaskId` is null where it is the job itself whose status has changed."""
    inner = {
        "projectId": project_id,
        "workflowId": delivery["workflow_id"],
        "workflowName": delivery["workflow_name"],
        "jobId": delivery["job_id"],
        "jobName": delivery["job_name"],
        "jobTaskId": delivery["task_id"],
        "jobTaskName": delivery["task_name"],
        "mode": delivery["mode"],
        "status": delivery["status"],
        "changedAt": delivery["created_at"],
    }
    return json.dumps({"event": event, "body": inner}, ensure_ascii=False).encode()


def test_body(event: str, moment: str) -> bytes:
    """The body of a test: of no job, and it says so."""
    inner = {"status": "SUCCEEDED", "test": True, "jobId": None, "jobTaskId": None, "changedAt": moment}
    return json.dumps({"event": event, "body": inner}).encode()


def headers_of(body: bytes, secret: str, now: Optional[float] = None) -> dict[str, str]:
    """The headers of a delivery: base64(HMAC-SHA256(secret, the values of the listed headers, joined))."""
    created = int(time.time() if now is None else now)
    signed = {
        "date": formatdate(created, usegmt=True),
        "digest": f"SHA-256={base64.b64encode(hashlib.sha256(body).digest()).decode()}",
        "content-type": JSON_TYPE,
    }
    text = "".join(signed[name] for name in SIGNED_HEADERS)
    signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
    listed = " ".join(f'"{name}"' for name in SIGNED_HEADERS)
    return {
        **signed,
        "signature-input": f"up42-sig=({listed});created={created}",
        "signature": f"up42-sig={signature}",
        "user-agent": "UP42JobsEngine",
    }
