NAME = 'my models'
