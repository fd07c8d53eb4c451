"""How a scenario is put together: participants, their steps, and the packets they exchange."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Set, Tuple, Union

from interop.payload import KINDS, RELIABLE, Packet

Step = Dict[str, Any]
Target = Union[str, int]

# Where packets should not come, time is all that can show it.
QUIET_MSEC = 200

# Seconds; a goodbye must be noticed before ENet's timeout (5 s at least) would do the same.
PROMPT = 4.0


class Participant:
    """One process of a scenario; each method adds a step to its list."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps: List[Step] = []
        self.on: Dict[str, List[Step]] = {}
        self.received: Dict[str, int] = {}

    def do(self, what: str, **details: Any) -> "Participant":
        """Adds a step of the agents' vocabulary."""
        self.steps.append({"do": what, **details})
        return self

    def set(self, **values: Any) -> "Participant":
        """Sets properties of the class; the log shows what they are afterwards."""
        for name, value in values.items():
            self.do("set", name=name, value=value)
        return self

    def get(self, *names: str) -> "Participant":
        """Logs properties of the class."""
        for name in names:
            self.do("get", name=name)
        return self

    def call(self, method: str, *arguments: Any) -> "Participant":
        """Calls a method of the class and logs its result; {"id": name} and {"port": n} are filled in."""
        return self.do("call", method=method, arguments=list(arguments))

    def sees(self, event: str, peer: Optional[str] = None, times: int = 1, within: float = 20) -> "Participant":
        """Waits for a signal of the class."""
        details: Step = {"event": event, "times": times, "within": within}
        if peer:
            details["peer"] = peer
        return self.do("wait_event", **details)


class Scenario:
    """Participants and their steps, in an order that holds across the processes."""

    def __init__(self, name: str, clients: int, *, slow: bool = False, mixed: bool = False, ports: int = 1) -> None:
        self.name = name
        self.slow = slow
        self.mixed = mixed
        self.ports = ports
        self.server = Participant("server")
        self.clients = [Participant(f"c{i + 1}") for i in range(clients)]
        self.joined: List[Participant] = []
        self.relay = True
        self.packets: Dict[str, Packet] = {}
        self._number = 0
        self._marks = 0
        self._seen: Dict[Tuple[str, str, str], int] = {}

    @property
    def everyone(self) -> List[Participant]:
        return [self.server, *self.clients]

    def set_everywhere(self, **values: Any) -> None:
        """Sets properties on all participants."""
        for participant in self.everyone:
            participant.set(**values)

    # --- Order across processes -----------------------------------------------------------------

    def mark(self) -> str:
        """A name for a signal between processes that nothing else uses."""
        self._marks += 1
        return f"{self._marks:03}"

    def then(self, first: Participant, *others: Participant) -> None:
        """What the others do next waits for what the first did so far."""
        name = self.mark()
        first.do("signal", name=name)
        for other in others:
            other.do("await", names=[name], within=90)

    def barrier(self) -> None:
        """Everyone waits for everyone."""
        base = self.mark()
        names = [f"{base}_{participant.name}" for participant in self.everyone]
        for participant, name in zip(self.everyone, names):
            participant.do("signal", name=name)
            participant.do("await", names=names, within=90)

    def finish(self) -> None:
        """Lets stray packets come, then ends the logs before the processes end, which others would notice."""
        self.barrier()
        for participant in self.everyone:
            participant.do("poll_for", msec=QUIET_MSEC).do("mute")
        self.barrier()

    # --- Coming and going -----------------------------------------------------------------------

    def start(self, join_all: bool = True, **server_details: Any) -> None:
        """Starts the server and lets the clients in, one after the other."""
        self.server.do("server", **server_details)
        self.barrier()
        if join_all:
            for client in self.clients:
                self.join(client)

    def join(self, client: Participant, **details: Any) -> None:
        """A client connects, and everyone who should notice does."""
        for other in self.everyone:
            other.received.pop(client.name, None)  # a client that comes back has a new id
        self.barrier()
        client.do("client", **details)
        self._notice(client, "connection_succeeded", None)
        self.then(client, self.server, *self.joined)
        self._notice(self.server, "peer_connected", client)
        if self.relay:
            for other in self.joined:
                self._notice(other, "peer_connected", client)
                self._notice(client, "peer_connected", other)
        self.joined.append(client)
        self.barrier()

    def gone(self, client: Participant, within: float = PROMPT) -> None:
        """Everyone who should notice that a client left does."""
        self.joined.remove(client)
        for other in [self.server, *(self.joined if self.relay else [])]:
            self._notice(other, "peer_disconnected", client, within)
        self.barrier()

    def _notice(
        self, who: Participant, event: str, about: Optional[Participant], within: float = 20
    ) -> None:
        # A client that comes back has a new id, so only events without a peer are counted up.
        times = 1
        if about is None:
            key = (who.name, event, "")
            times = self._seen[key] = self._seen.get(key, 0) + 1
        who.sees(event, about.name if about else None, times, within)

    # --- Packets --------------------------------------------------------------------------------

    def new_packet(self, mode: int, size: int, kind: Optional[str] = None) -> Packet:
        """A packet whose bytes differ from all others of the scenario."""
        while True:
            self._number += 1
            packet = Packet(kind or KINDS[self._number % len(KINDS)], size, self._number, mode)
            digest = packet.md5
            if digest not in self.packets or size == 0:
                self.packets[digest] = packet
                return packet

    def send(
        self,
        sender: Participant,
        to: Target,
        receivers: Sequence[Participant],
        sizes: Sequence[int] = (20,),
        mode: int = RELIABLE,
        channel: int = -1,
        kind: Optional[str] = None,
    ) -> None:
        """The sender puts packets, the receivers wait for them.

        Unreliable ones are sent again until they came: ENet's throttle may drop some even on loopback.
        """
        packets = [self.new_packet(mode, size, kind) for size in sizes]
        words = [[packet.kind, packet.size, packet.number] for packet in packets]
        marks = [self.mark() for _ in receivers] if mode != RELIABLE else []
        sender.do("put", to=to, mode=mode, channel=channel, packets=words, **({"until": marks} if marks else {}))
        for i, receiver in enumerate(receivers):
            count = receiver.received[sender.name] = receiver.received.get(sender.name, 0) + len(packets)
            receiver.do("wait_packets", **{"from": sender.name, "count": count})
            if marks:
                receiver.do("signal", name=marks[i])

    def put_step(self, to: Target, size: int = 20, mode: int = RELIABLE) -> Step:
        """A put for the reactions to a signal; nobody waits for it."""
        packet = self.new_packet(mode, size)
        words = [[packet.kind, packet.size, packet.number]]
        return {"do": "put", "to": to, "mode": mode, "channel": -1, "packets": words}

    # --- For the agents -------------------------------------------------------------------------

    def as_json(self, folder: str, ports: Sequence[int]) -> Dict[str, Any]:
        """What the agents read."""
        return {
            "name": self.name,
            "folder": folder,
            "ports": list(ports),
            "fps": 100 if self.slow else 250,
            "participants": {p.name: {"steps": p.steps, "on": p.on} for p in self.everyone},
        }

    def names(self) -> Set[str]:
        """The participants' names."""
        return {participant.name for participant in self.everyone}
