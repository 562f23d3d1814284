"""The four trading workflows that are simulated."""

from qvsim.workflows.catalogue import SPECIFICATIONS, Simulation, Specification
from qvsim.workflows.market_data import MarketDataIngestion
from qvsim.workflows.portfolio import PortfolioCoordination
from qvsim.workflows.trade_execution import TradeExecution
from qvsim.workflows.trading_decision import TradingDecision

SIMULATIONS: dict[str, type[Simulation]] = {
    "market-data-ingestion": MarketDataIngestion,
    "trading-decision": TradingDecision,
    "trade-execution": TradeExecution,
    "portfolio-coordination": PortfolioCoordination,
}
"""What runs in the process of each workflow."""

__all__ = ["SIMULATIONS", "SPECIFICATIONS", "Simulation", "Specification"]
