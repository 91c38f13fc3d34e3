NAME = 'my traindeck'
