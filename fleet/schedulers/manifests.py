"""The Kubernetes objects of a submission: a ConfigMap with the code, and one Indexed Job."""

from __future__ import annotations

import base64
import json
import shlex
from typing import Any

from fleet.config import Fleet
from fleet.node import exits
from fleet.payload import start_script
from fleet.schedulers import Order
from images.stack import Problem

LARGEST = 1_000_000  # of a ConfigMap's 1 MiB
GRACE_SECONDS = 60
RUN_LABEL = "erabench/run"
CELL_LABEL = "erabench/cell"
INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
SCRIPT = """\
mkdir -p /cell/home /cell/run /cell/submission || exit {cannot_write}
{start}for archive in /code/code.tar.gz /order/order.tar.gz; do
  tar -xzf $archive -C /cell/submission || exit {cannot_write}
done
cd /cell/submission/project || exit {no_project}
exec python3 -m fleet.node /cell/run /cell/submission
"""


def manifest(fleet: Fleet, run: str, order: Order, code: str, content: bytes) -> dict[str, Any]:
    """Return a List of a ConfigMap with the order, and of the Job. ``code`` names the ConfigMap with the project."""
    labels = _labels(run)
    items = [config_map(order.name, run, "order.tar.gz", content), _job(fleet, order, labels, code)]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def config_map(name: str, run: str, key: str, content: bytes) -> dict[str, Any]:
    """Return a ConfigMap with one file. Raises Problem if it is too large."""
    if len(content) > LARGEST:
        size = f"{key} has {len(content)} bytes, more than a ConfigMap holds ({LARGEST})"
        raise Problem(f"{size}; name fewer stacks or rows in one fleet file")
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": _labels(run)},
        "immutable": True,
        "binaryData": {key: base64.b64encode(content).decode()},
    }


def _labels(run: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "erabench", RUN_LABEL: run}


def _job(fleet: Fleet, order: Order, labels: dict[str, str], code: str) -> dict[str, Any]:
    """Return the Job. No podFailurePolicy: with one, a pod whose node died was never replaced (docs/decisions/0021)."""
    queue = fleet.kubernetes.queue
    count = len(order.cells)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": order.name,
            "labels": {**labels, **({"kueue.x-k8s.io/queue-name": queue} if queue else {})},
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": count,
            "parallelism": count,
            "backoffLimitPerIndex": 2,
            "maxFailedIndexes": count,
            "suspend": bool(queue),  # Kueue starts it
            "template": {"metadata": {"labels": {**labels, CELL_LABEL: "yes"}}, "spec": _pod(fleet, order, code)},
        },
    }


def _pod(fleet: Fleet, order: Order, code: str) -> dict[str, Any]:
    """Return the pod: sealed as in compose.yaml, except that it has a network to install packages from."""
    settings, one = fleet.kubernetes, order.type
    selector = dict(one.kubernetes)
    if order.cells[0].node:
        selector["kubernetes.io/hostname"] = order.cells[0].node
    alone = {"labelSelector": {"matchLabels": {CELL_LABEL: "yes"}}, "topologyKey": "kubernetes.io/hostname"}
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": one.seconds + 2 * GRACE_SECONDS,  # the attempt stops itself before
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": selector,
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [alone]}},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": settings.user,
            "runAsGroup": settings.user,
            "fsGroup": settings.user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(fleet, order)],
        "volumes": [
            {"name": "code", "configMap": {"name": code}},
            {"name": "order", "configMap": {"name": order.name}},
            {"name": "work", "emptyDir": {"sizeLimit": settings.scratch}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "2Gi"}},
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        ],
    }
    if settings.cache:
        pod["volumes"].append({"name": "cache", "persistentVolumeClaim": {"claimName": settings.cache}})
    if one.gpus:
        pod["tolerations"] = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    if settings.runtime_class:
        pod["runtimeClassName"] = settings.runtime_class
    if settings.pull_secret:
        pod["imagePullSecrets"] = [{"name": settings.pull_secret}]
    return pod


def _container(fleet: Fleet, order: Order) -> dict[str, Any]:
    one = order.type
    resources: dict[str, str] = {**one.resources, **({"nvidia.com/gpu": str(one.gpus)} if one.gpus else {})}
    mounts = {"code": "/code", "order": "/order", "work": "/cell", "tmp": "/tmp", "shm": "/dev/shm"}
    environ: list[dict[str, Any]] = [
        {"name": "HOME", "value": "/cell/home"},
        {"name": "ERABENCH_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "ERABENCH_NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "ERABENCH_FAILURES", "valueFrom": {"fieldRef": {"fieldPath": f"metadata.annotations['{FAILURES}']"}}},
    ]
    if fleet.kubernetes.cache:
        mounts["cache"] = "/cache"
        environ.append({"name": "UV_CACHE_DIR", "value": f"/cache/{one.name}"})
    return {
        "name": "bench",
        "image": fleet.kubernetes.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", SCRIPT.format(start=start_script(one.setup), **exits.BY_NAME)],
        "env": environ,
        "resources": {"requests": resources, "limits": resources} if resources else {},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": name, "mountPath": path, **({"readOnly": True} if name in ("code", "order") else {})}
            for name, path in mounts.items()
        ],
    }


def dry_text(content: dict[str, Any], command: list[str]) -> str:
    """Return a manifest for people: without the order's bytes."""
    data, job = content["items"]
    shown = {
        **data,
        "binaryData": {key: f"<{len(text)} characters of base64>" for key, text in data["binaryData"].items()},
    }
    return f"{shlex.join(command)}\n{json.dumps({**content, 'items': [shown, job]}, indent=1)}"
