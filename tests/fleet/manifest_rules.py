"""What every manifest of the fleet must keep, beyond being valid."""

from __future__ import annotations

from typing import Any


def broken_rules(manifest: dict[str, Any]) -> list[str]:
    """Return the rules that a List of a ConfigMap and a Job breaks."""
    config_map, job = manifest["items"]
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    container = pod["containers"][0]
    labels = spec["template"]["metadata"]["labels"]
    alone = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    limits = container["resources"].get("limits", {})
    rules = {
        "one index per cell": spec["completionMode"] == "Indexed" and spec["parallelism"] == spec["completions"],
        "an index fails alone": spec["backoffLimitPerIndex"] >= 1 and spec["maxFailedIndexes"] == spec["completions"],
        "no podFailurePolicy": "podFailurePolicy" not in spec,
        "a pod is never restarted in place": pod["restartPolicy"] == "Never",
        "nodes are selected by type": bool(pod["nodeSelector"]),
        "two cells never share a node": alone["topologyKey"] == "kubernetes.io/hostname"
        and alone["labelSelector"]["matchLabels"].items() <= labels.items(),
        "a time limit with time to save": pod["activeDeadlineSeconds"] > pod["terminationGracePeriodSeconds"] >= 30,
        "no token of the cluster": pod["automountServiceAccountToken"] is False,
        "not root": pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] > 0,
        "no new privileges": container["securityContext"]["allowPrivilegeEscalation"] is False,
        "no capability": container["securityContext"]["capabilities"] == {"drop": ["ALL"]},
        "a read-only root": container["securityContext"]["readOnlyRootFilesystem"] is True,
        "the default seccomp profile": pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"},
        "nothing of the host": not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        and all("hostPath" not in volume for volume in pod["volumes"]),
        "every mount has its volume": set(mounts) == {volume["name"] for volume in pod["volumes"]},
        "code and order are read-only": all(mounts[name].get("readOnly") is True for name in ("code", "order")),
        "requests are limits": container["resources"].get("requests", {}) == limits,
        "the order fits": len(config_map["binaryData"]["order.tar.gz"]) * 3 / 4 < 1_000_000,
        "one name": config_map["metadata"]["name"] == job["metadata"]["name"] and len(job["metadata"]["name"]) <= 52,
        "found by its run": config_map["metadata"]["labels"]["erabench/run"] == labels["erabench/run"],
    }
    return [rule for rule, kept in rules.items() if not kept]
