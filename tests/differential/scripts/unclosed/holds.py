FILE = open("sibling.txt", "w")
