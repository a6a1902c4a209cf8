"""Views, one file a notebook: the drawings that only it needs, and what they compute.

A function that draws one picture returns it with its alternative text, (Figure, str), as `cu.show`
takes them; one that lets a reader choose returns a `widgets.View`.
"""
