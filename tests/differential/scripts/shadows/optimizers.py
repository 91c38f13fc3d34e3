NAME = 'my optimizers'
