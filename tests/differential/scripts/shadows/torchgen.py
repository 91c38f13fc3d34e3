NAME = 'my torchgen'
