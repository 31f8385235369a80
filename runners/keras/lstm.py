"""LSTM: two stacked LSTM layers on twelve months of Airline Passenger. Why these settings: docs/lstm.md."""

from runners.nets.rows import lstm_row

MODEL = lstm_row(key="lstm", library="Keras", implementation="runners.keras.lstm_rows", order=1)
