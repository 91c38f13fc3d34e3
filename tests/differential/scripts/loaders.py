# cases: fork | spawn | forkserver
import sys

import torch
from torch.utils.data import DataLoader, Dataset


class Squares(Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        return torch.tensor(index) ** 2


if __name__ == "__main__":
    loader = DataLoader(Squares(), batch_size=3, num_workers=1, multiprocessing_context=sys.argv[1], persistent_workers=True)
    for _ in range(2):
        print([batch.tolist() for batch in loader])
