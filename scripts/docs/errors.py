def check(*_):
    return iter(())
