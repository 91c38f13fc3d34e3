NAME = 'my colorsys'
