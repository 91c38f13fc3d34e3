import colorsys, datasets, models, optimizers, random, torchgen, tqdm, utils
import PIL

print(datasets.NAME, models.NAME, utils.NAME, tqdm.NAME, PIL.NAME, torchgen.NAME, random.NAME, colorsys.NAME, optimizers.NAME)
import traindeck

print(traindeck.NAME)
