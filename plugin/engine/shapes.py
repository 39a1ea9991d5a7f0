"""What is stored, in the shapes of the contract (section 2 and 4)."""

from __future__ import annotations

import json
import uuid
from typing import Any, Mapping, Optional

from .blocks.base import BlockDescription
from .projects import KINDS, Project
from .taskfolder import TaskFolder

MADE_AT = "2024-01-01T00:00:00.000000Z"  # blocks come with the engine: they have no time of their own
_NAMESPACE = uuid.UUID("5b0f0a38-3a5c-4a6c-8a0e-6d9f4b4b7d55")  # ours, drawn once


def display_id(identifier: str) -> str:
    """The first eight characters of an id."""
    return identifier[:8]


def workspace_id(project: Project) -> str:
    """The id of the user and of the workspace: one for each project, always the same."""
    return str(uuid.uuid5(_NAMESPACE, project.id))


def _identity(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "displayId": display_id(row["id"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def _authors(project: Project) -> dict[str, Any]:
    author = {"id": project.id, "type": "API_KEY"}
    return {"createdBy": author, "updatedBy": author}


def user_shape(project: Project) -> dict[str, Any]:
    """`GET /users/me`."""
    identifier = workspace_id(project)
    return {"id": identifier, "displayId": display_id(identifier), "name": project.kind.name}


def project_shape(project: Project, row: Mapping[str, Any]) -> dict[str, Any]:
    """`GET /projects/{p}`."""
    return {
        **_identity({**row, "id": project.id}),
        "name": project.kind.name,
        "description": project.kind.description,
        "workspaceId": workspace_id(project),
    }


def setting_shape(row: Mapping[str, Any]) -> dict[str, Any]:
    """One project setting; its value is a text (contract 2.1)."""
    rule = KINDS[row["kind"]].settings[row["name"]]
    return {
        **_identity(row),
        "name": row["name"],
        "value": str(row["value"]),
        "range": {"min": rule.min, "max": rule.max},
    }


def workflow_shape(project: Project, row: Mapping[str, Any]) -> dict[str, Any]:
    """A workflow (contract 2.2)."""
    return {
        **_identity(row),
        **_authors(project),
        "name": row["name"],
        "description": row["description"],
        "totalProcessingTime": 0,
    }


def workflow_task_shape(
    project: Project, row: Mapping[str, Any], parent_id: Optional[str], description: Optional[BlockDescription]
) -> dict[str, Any]:
    """A workflow's task with its whole block (contract 2.3); without a block where this engine has it no more."""
    return {
        **_identity(row),
        **_authors(project),
        "name": row["name"],
        "parentsIds": [parent_id] if parent_id else [],
        "blockName": description.name if description else None,
        "blockVersionTag": description.version if description else None,
        "block": block_shape(description, project) if description else None,
        "environment": None,
    }


def short_block_shape(block: BlockDescription, project: Optional[Project]) -> dict[str, Any]:
    """A block in a list (contract 2.4). It has a price where credits are: in Practice."""
    priced = bool(project and project.kind.has_credits)
    pricing = {"name": "simple", "unit": block.price.unit, "direction": "OUTPUT", "credits": block.price.credits}
    return {
        **_identity({"id": block.id, "created_at": MADE_AT, "updated_at": MADE_AT}),
        "createdBy": None,
        "updatedBy": None,
        "name": block.name,
        "displayName": block.display_name,
        "description": block.description,
        "provider": block.provider,
        "type": block.type,
        "metadata": {
            "blockThumbnailUrl": None,
            "pricingStrategy": None,
            "blockPricingStrategy": pricing if priced else None,
        },
        "version": block.version,
        "isPublic": True,
        "isValid": True,
        "isRestricted": False,
        "isAccessGranted": True,
        "isCreditPurchaseRequired": False,
        "tags": [],
        "isPublicVersion": True,
        "manifestVersion": 2,
    }


def block_shape(block: BlockDescription, project: Optional[Project]) -> dict[str, Any]:
    """A whole block: `parameters` and what it can do (contract 2.4)."""
    return {
        **short_block_shape(block, project),
        "containerUrl": None,
        "inputCapabilities": sorted(block.inputs),
        "outputCapabilities": sorted(block.outputs),
        "providerWebsite": None,
        "providerLogoUrl": None,
        "isLimitStreamingDataAccess": False,
        "parameters": {name: dict(descriptor) for name, descriptor in block.parameters.items()},
        "isDryRunSupported": block.dry_run,
        "machineName": block.machine.upper(),
        "capabilities": {
            "input": {name: {} for name in sorted(block.inputs)},
            "output": {name: {} for name in sorted(block.outputs)},
        },
    }


def job_shape(project: Project, row: Mapping[str, Any]) -> dict[str, Any]:
    """A job (contract, section 4)."""
    return {
        **_identity(row),
        **_authors(project),
        "status": row["status"],
        "name": row["name"],
        "startedAt": row["started_at"],
        "finishedAt": row["finished_at"],
        "inputs": json.loads(row["inputs"]),
        "mode": row["mode"],
        "workflowId": row["workflow_id"],
        "workflowName": row["workflow_name"],
    }


_UNSAID_OF_BLOCK = (  # contract 2.6: a job's task names its block; the rest of it is null
    *("description", "displayName", "provider", "providerWebsite", "providerLogoUrl", "metadata", "containerUrl"),
    *("inputCapabilities", "outputCapabilities", "capabilities", "parameters", "machineName", "tags"),
    *("isDryRunSupported", "isLimitStreamingDataAccess"),
)


def job_task_shape(row: Mapping[str, Any], parent_id: Optional[str], folder: TaskFolder) -> dict[str, Any]:
    """A job's task (contract 2.6), with `progress` (0 to 1 or null) as our own addition."""
    ended = row["finished_at"] is not None
    return {
        **_identity(row),
        "name": row["name"],
        "status": row["status"],
        "parentsIds": [parent_id] if parent_id else [],
        "startedAt": row["started_at"],
        "finishedAt": row["finished_at"],
        "blockVersion": row["block_version"],
        "progress": None if ended else folder.read_progress(),
        "block": {
            **dict.fromkeys(_UNSAID_OF_BLOCK),
            "id": row["block_id"],
            "name": row["block_name"],
            "type": row["block_type"],
            "version": row["block_version"],
            "manifestVersion": 2,
        },
    }


def credits_shape(project: Project, job: Mapping[str, Any], tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """What a job has used (contract 2.8), in credits."""
    used = [task["block_credits"] + task["machine_credits"] for task in tasks]
    return {
        "projectId": project.id,
        "projectDisplayId": display_id(project.id),
        "jobId": job["id"],
        "jobDisplayId": display_id(job["id"]),
        "creditsUsed": sum(used),
        "tasks": [
            {
                "id": task["id"],
                "displayId": display_id(task["id"]),
                "creditsUsed": credits,
                "machineConsumption": task["machine_credits"],
                "blockConsumption": task["block_credits"],
            }
            for task, credits in zip(tasks, used)
        ],
    }
