// An Express application as teams write them: it knows nothing of Heddle. PORT and HOST say where it listens, UPSTREAM whom it calls.
import express from 'express';
import { request } from 'undici';

const app = express();
app.get('/hello', (incoming, response) => {
  response.json({ from: process.env.NAME, requestId: incoming.headers['x-request-id'] });
});
app.get('/front', async (incoming, response) => {
  const answer = await fetch(process.env.UPSTREAM, { headers: { 'end-user': incoming.get('end-user') ?? '' } });
  response.status(answer.status).json({ upstream: await answer.text() });
});
app.get('/undici', async (_incoming, response) => {
  const answer = await request(process.env.UPSTREAM);
  response.status(answer.statusCode).json({ upstream: await answer.body.text() });
});
app.get('/slow', (_incoming, response) => {
  console.log('slow began');
  process.once('SIGUSR2', () => response.send('finished'));
});
app.listen(Number(process.env.PORT), process.env.HOST, () => console.log('application listens'));
