#   The fleet file: every process of the fleet reads this one file.
#   A key that is left out has the value shown here or in docs/operations.md; an unknown key is refused with its line.
#   Decimals are exact to 8 places.

fleet
    name = "paper"                  #   shown by status
    shard = 0                       #   number of this fleet's event log

market
    seed = 42                       #   of the synthetic market; `fleet up --seed N` overrides it
    step_ms = 100                   #   how often the synthetic market moves

instruments
    BTC/USDT
        tick = 0.01                 #   smallest price step
        lot = 0.00001               #   smallest quantity step
        min_notional = 10           #   smallest order value, in the quote asset
        price = 60000               #   where the synthetic market begins
        volatility = 0.5            #   of the synthetic market, per year
        max_quantity = 20           #   risk: largest order
        max_position = 100          #   risk: largest position of one strategy, pending orders included
    ETH/USDT
        tick = 0.01
        lot = 0.0001
        min_notional = 10
        price = 2500
        volatility = 0.7
        max_quantity = 400
        max_position = 2000
    SOL/USDT
        tick = 0.001
        lot = 0.001
        min_notional = 10
        price = 150
        volatility = 0.9
        max_quantity = 5000
        max_position = 25000

venues
    alpha
        maker_fee = 0.0002          #   share of the notional
        taker_fee = 0.0005
        latency_ms = 1              #   added by the paper venue before it answers
        depth = 1                   #   size of the synthetic book
        spread = 1                  #   width of the synthetic book
        replay = yes                #   takes part in a recorded market (`fleet up --replay FILE`)
        orders_per_second = 0       #   the venue's limit, kept by the executor; 0: none
        cancels_per_second = 0      #   the same for cancels
        enforce_limits = no         #   yes: the paper venue refuses what exceeds them
        balances
            USDT = 10000000
            BTC = 100
            ETH = 2000
            SOL = 30000
    beta
        maker_fee = 0.0001
        taker_fee = 0.0004
        latency_ms = 4
        depth = 0.4
        spread = 1.6
        replay = no
        balances
            USDT = 10000000
            BTC = 100
            ETH = 2000
            SOL = 30000

risk
    max_notional = 500000           #   largest order value, in the quote asset
    price_collar = 0.05             #   a limit price may be this far beyond the market
    max_orders_per_second = 200     #   per strategy
    allow_short = no                #   yes: a strategy may sell more than it has

orchestrator
    max_signals_per_second = 0      #   per strategy: what exceeds it is refused unrecorded; 0: a quarter above risk's limit
    standby = no                    #   yes: a second one waits to take over
    takeover_ms = 2000              #   with a standby: silence of the one that works before the other takes over

executor
    weight_latency = 0.00001        #   share of the price that one millisecond is worth
    weight_failure = 0.01           #   share of the price that a venue failing always is worth

strategies
    breakout
        strategy = "breakout"
        symbol = "BTC/USDT"
    momentum
        strategy = "momentum"
        symbol = "BTC/USDT"
    reversion
        strategy = "mean_reversion"
        symbol = "ETH/USDT"
    maker
        strategy = "market_maker"
        symbol = "SOL/USDT"
        venue = "beta"
