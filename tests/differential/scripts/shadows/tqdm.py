NAME = 'my tqdm'
