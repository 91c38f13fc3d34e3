NAME = 'my PIL'
