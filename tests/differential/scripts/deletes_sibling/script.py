import other

print("end")
