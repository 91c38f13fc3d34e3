NAME = 'my utils'
