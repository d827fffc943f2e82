"""How trainings use a machine: options that papers do not know. No TensorFlow."""

from dataclasses import asdict, dataclass
from typing import Literal

from common.errors import EncoreError

VALUES = ("precision", "jit", "deterministic")  # these change what is computed, the others only when and how fast


@dataclass(frozen=True)
class Machine:
    """How trainings use the machine.

    Attributes:
        precision: what dense, convolutional and recurrent layers multiply in; weights, losses and evaluation stay
            float32.
        jit: compile each training step with XLA.
        deterministic: only operations that give the same bits each time, TF32 off; slower on GPUs.
        checkpoint_seconds: between two checkpoints of a training.
        steps_per_call: training steps in one call of TensorFlow; 0: as many as take a twentieth of a second.
        readers: threads that read batches.
        ahead: calls whose batches are read and placed on their devices before they are wanted.
    """

    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    jit: bool = False
    deterministic: bool = False
    checkpoint_seconds: float = 60.0
    steps_per_call: int = 0
    readers: int = 2
    ahead: int = 2

    def check(self) -> None:
        """Refuse what cannot be asked for.

        Raises:
            EncoreError: a number that is too small.
        """
        for name, least in (("checkpoint_seconds", 0), ("steps_per_call", 0), ("readers", 1), ("ahead", 1)):
            if not getattr(self, name) >= least:
                raise EncoreError(f"--{name.replace('_', '-')} {getattr(self, name)}: name a number from {least} up")

    def values(self) -> dict:
        """The options that change what is computed: they stand in a training's record."""
        return {name: value for name, value in asdict(self).items() if name in VALUES}


PLAIN = Machine()
