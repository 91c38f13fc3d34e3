import os, threading
import numpy, torch

print(torch.get_num_threads(), torch.get_num_interop_threads(), torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_default_device())
print(torch.cuda.is_initialized(), torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark, torch.is_inference_mode_enabled())
print(numpy.geterr(), numpy.get_printoptions()["precision"], torch.rand(1).shape, torch.initial_seed() > 0)
print(torch.multiprocessing.get_sharing_strategy(), torch.multiprocessing.get_start_method(allow_none=True))
print(threading.active_count(), os.environ.get("OMP_NUM_THREADS"), torch.tensor([1.0, 2.0]))
torch.manual_seed(3)
numpy.random.seed(3)
print(torch.rand(3), numpy.random.rand(2), torch.randperm(5))
x = torch.ones(3, requires_grad=True)
(x * 2).sum().backward()
print(x.grad, (torch.rand(200, 200) @ torch.rand(200, 200)).shape)
torch.nn.Linear(2, 3)(torch.zeros(4, 5))
