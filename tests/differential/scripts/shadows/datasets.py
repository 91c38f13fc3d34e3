NAME = 'my datasets'
