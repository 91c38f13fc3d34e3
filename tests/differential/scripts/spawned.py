# cases: well | badly
import sys

import torch.multiprocessing


def work(rank, how):
    if how == "badly":
        raise ValueError(f"rank {rank}")
    print("rank", rank, flush=True)


if __name__ == "__main__":
    torch.multiprocessing.spawn(work, args=(sys.argv[1],), nprocs=1)
    print("spawned")
