#   The fleet of the chaos run: limits wide enough for its load, except SOL's position limit, which the load presses
#   against; venues whose answers get lost, late and doubled. SEED and STANDBY are replaced.

fleet
    name = "chaos"

orchestrator
    standby = STANDBY

market
    seed = SEED

instruments
    BTC/USDT
        tick = 0.01
        lot = 0.00001
        min_notional = 10
        price = 60000
        volatility = 0.5
        max_quantity = 20
        max_position = 100000
    ETH/USDT
        tick = 0.01
        lot = 0.0001
        min_notional = 0
        price = 2500
        volatility = 0.7
        max_quantity = 400
        max_position = 1000000
    SOL/USDT
        tick = 0.001
        lot = 0.001
        min_notional = 10
        price = 150
        volatility = 0.9
        max_quantity = 5000
        max_position = 50
    XRP/USDT
        tick = 0.0001
        lot = 1
        min_notional = 10
        price = 2
        volatility = 0.9
        max_quantity = 5000
        max_position = 25000

venues
    alpha
        maker_fee = 0.0002
        taker_fee = 0.0005
        latency_ms = 1
        depth = 4
        faults
            lose = 0.003
            late = 0.003
            duplicate = 0.01
            late_ms = 700
            seed = SEED
        balances
            USDT = 9000000000
            BTC = 10000000
            ETH = 10000000
            SOL = 10000000
            XRP = 1000000000
    beta
        maker_fee = 0.0001
        taker_fee = 0.0004
        latency_ms = 2
        depth = 4
        faults
            lose = 0.003
            late = 0.003
            duplicate = 0.01
            late_ms = 700
            seed = SEED
        balances
            USDT = 9000000000
            BTC = 10000000
            ETH = 10000000
            SOL = 10000000
            XRP = 1000000000

risk
    max_notional = 5000000
    max_orders_per_second = 5000
    allow_short = yes

strategies
    maker
        strategy = "market_maker"
        symbol = "XRP/USDT"
        venue = "beta"
