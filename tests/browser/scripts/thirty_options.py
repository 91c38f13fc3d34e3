"""Thirty options of every kind, printed as they were given."""

import argparse
import json


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a ConvNet on digits.")
    parser.add_argument("data", help="where the data lies")
    model = parser.add_argument_group("Model")
    model.add_argument("--arch", "-a", choices=["resnet18", "resnet50", "vit"], default="resnet18")
    model.add_argument("--width", type=int, default=64, help="channels of the first layer")
    model.add_argument("--depth", type=int, default=18)
    model.add_argument("--dropout", type=float, default=0.1)
    model.add_argument("--layers", type=int, nargs="+", default=[32, 64], help="units of each layer")
    model.add_argument("--pretrained", action="store_true", help="start from pretrained weights")
    model.add_argument("--bias", action=argparse.BooleanOptionalAction, default=True)
    rate = parser.add_argument_group("Optimisation")
    rate.add_argument("--lr", type=float, default=1e-3, help="learning rate")
    rate.add_argument("--momentum", type=float, default=0.9)
    rate.add_argument("--weight-decay", type=float, default=1e-4)
    rate.add_argument("--betas", type=float, nargs=2, default=[0.9, 0.999], help="Adam's betas")
    rate.add_argument("--epochs", "-e", type=int, default=3)
    rate.add_argument("--batch-size", type=int, default=64)
    rate.add_argument("--clip", type=float, default=None, help="gradient norm; no clipping if not given")
    rate.add_argument("--optimizer", choices=["sgd", "adam", "adamw"], default="adam")
    rate.add_argument("--nesterov", action="store_true")
    rate.add_argument("--warmup", type=int, default=0)
    schedule = rate.add_mutually_exclusive_group()
    schedule.add_argument("--cosine", action="store_true", help="cosine schedule")
    schedule.add_argument("--step-lr", type=int, help="divide the rate by ten after so many epochs")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--amp", action="store_true")
    parser.add_argument("--tag", action="append", default=[], help="repeat it")
    parser.add_argument("--note")
    parser.add_argument("--verbose", "-v", action="count", default=0)
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument("--out", default="out")
    parser.add_argument("--resume", metavar="PATH")
    return parser.parse_args()


if __name__ == "__main__":
    print(json.dumps(vars(read_options()), sort_keys=True))
