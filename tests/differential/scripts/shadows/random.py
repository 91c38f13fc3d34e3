NAME = 'my random'
