"""The slots that nodes offer, and which run holds which."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from traindeck.executors.protocol import Node
from traindeck.runs.queue import Capacity


@dataclass(frozen=True, slots=True)
class Hold:
    """What one run holds of a node: a number of CPU slots, and GPUs by their index there."""

    node: str
    cpus: int
    gpus: tuple[int, ...] = ()


class Slots:
    """Hands out CPU slots and GPUs. Changed by the dispatcher's thread only; `capacity` may be read from any."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._holds: dict[int, Hold] = {}
        self._capacity = self._count()

    @property
    def capacity(self) -> Capacity:
        """How much there is on all nodes, and how much of it is free."""
        return self._capacity

    def free_nodes(self) -> Iterator[tuple[str, Capacity]]:
        """Yield the nodes that have a free CPU slot: a run gets all its slots on one of them."""
        for node in self._nodes.values():
            capacity = self._count_of(node)
            if capacity.free_cpus:
                yield node.name, capacity

    def has_gpus(self, node: str) -> bool:
        """Return True where the node has GPUs to hand out."""
        return node in self._nodes and bool(self._nodes[node].gpus)

    def take(self, run_id: int, node: str, cpus: int, gpus: int) -> Hold:
        """Give a run its slots: the free GPUs of lowest index. The caller has checked that they are free."""
        return self.hold(run_id, Hold(node, cpus, tuple(self._free_gpus(self._nodes[node])[:gpus])))

    def hold(self, run_id: int, hold: Hold) -> Hold:
        """Keep what a run that is found again after a restart holds already."""
        self._holds[run_id] = hold
        self._capacity = self._count()
        return hold

    def release(self, run_id: int) -> None:
        """Take back what a run holds, if anything."""
        self._holds.pop(run_id, None)
        self._capacity = self._count()

    def release_all_but(self, run_ids: Container[int]) -> None:
        """Take back what every other run holds."""
        for run_id in [held for held in self._holds if held not in run_ids]:
            self.release(run_id)

    def _free_gpus(self, node: Node) -> list[int]:
        taken = {gpu for hold in self._holds.values() if hold.node == node.name for gpu in hold.gpus}
        return [gpu.index for gpu in node.gpus if gpu.index not in taken]

    def _count_of(self, node: Node) -> Capacity:
        used = sum(hold.cpus for hold in self._holds.values() if hold.node == node.name)
        return Capacity(node.cpus, len(node.gpus), max(node.cpus - used, 0), len(self._free_gpus(node)))

    def _count(self) -> Capacity:
        counted = [self._count_of(node) for node in self._nodes.values()]
        cpus, gpus = sum(one.cpus for one in counted), sum(one.gpus for one in counted)
        return Capacity(cpus, gpus, sum(one.free_cpus for one in counted), sum(one.free_gpus for one in counted))
