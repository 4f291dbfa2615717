# mypy: ignore-errors
"""Traces of Lava's bit-accurate LIF, in an environment of its own: Python 3.10, lava-nc 0.10.0.

python lava_traces.py lava_traces.json
"""

import json
import sys
from pathlib import Path

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi1SimCfg
from lava.proc.io.source import RingBuffer
from lava.proc.lif.process import LIF
from lava.proc.monitor.process import Monitor

STEPS, NEURONS = 40, 12


def trace(seed, du, low, high):
    rng = np.random.default_rng(seed)
    given = rng.integers(low, high, (NEURONS, STEPS))
    numbers = {
        "dv": rng.integers(0, 4096, NEURONS),
        "vth": rng.integers(0, high // 2, NEURONS),
        "bias_mant": rng.integers(-4096, 4096, NEURONS),
        "bias_exp": rng.integers(0, 8, NEURONS),
    }
    found = {name: np.zeros((STEPS, NEURONS), int) for name in ("u", "v", "s")}
    for n in range(NEURONS):
        source = RingBuffer(data=given[n : n + 1].astype(int))
        lif = LIF(
            shape=(1,),
            du=du,
            dv=int(numbers["dv"][n]),
            vth=int(numbers["vth"][n]),
            bias_mant=int(numbers["bias_mant"][n]),
            bias_exp=int(numbers["bias_exp"][n]),
        )
        source.s_out.connect(lif.a_in)
        monitors = {}
        for name, port in (("u", lif.u), ("v", lif.v), ("s", lif.s_out)):
            monitors[name] = Monitor()
            monitors[name].probe(port, STEPS)
        lif.run(condition=RunSteps(num_steps=STEPS), run_cfg=Loihi1SimCfg(select_tag="fixed_pt"))
        for name, m in monitors.items():
            [[data]] = [list(d.values()) for d in m.get_data().values()]
            found[name][:, n] = np.asarray(data)[:, 0]
        lif.stop()
    return {
        "du": du,
        **{k: v.tolist() for k, v in numbers.items()},
        "input": given.T.tolist(),
        **{k: v.tolist() for k, v in found.items()},
    }


if __name__ == "__main__":
    cases = [trace(0, 4095, -128, 512), trace(1, 2048, -512, 1024), trace(2, 4095, -32768, 32767)]
    found = json.dumps({"lava": "lava-nc 0.10.0", "cases": cases})
    Path(sys.argv[1]).write_text(found, encoding="utf-8")
