import torch
from torch.utils.data import DataLoader, Dataset


class Broken(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        raise KeyError(index)


if __name__ == "__main__":
    list(DataLoader(Broken(), num_workers=1))
