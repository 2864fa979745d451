"""All processes of one machine under one: started, restarted, and gone when it is gone."""
