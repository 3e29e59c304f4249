// OpenAI's own client, as it comes from npm, against a running `malssi serve`. Run by tests/e2e/openai_test.py, which gives
// BASE_URL, API_KEY and the names of two models: PLAIN (our own chat template) and TOOLED (one that tells of tools).
import assert from "node:assert/strict";
import {test} from "node:test";
import OpenAI from "openai";

const {BASE_URL, API_KEY, PLAIN, TOOLED} = process.env;
const client = new OpenAI({baseURL: `${BASE_URL}/v1`, apiKey: API_KEY, maxRetries: 0});
const messages = [{role: "user", content: "Who likes tea?"}];
const short = {model: PLAIN, messages, max_tokens: 16, seed: 1};
const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of a city.",
    parameters: {
      type: "object",
      properties: {city: {enum: ["Seoul", "Busan"]}, days: {type: "integer", minimum: 0, maximum: 9}},
      required: ["city", "days"],
      additionalProperties: false,
    },
  },
};

test("models are listed and retrieved", async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.deepEqual(names, [PLAIN, TOOLED]);
  assert.equal((await client.models.retrieve(PLAIN)).object, "model");
});

test("chat answers", async () => {
  const answer = await client.chat.completions.create(short);
  assert.equal(answer.object, "chat.completion");
  assert.equal(answer.choices[0].message.role, "assistant");
  assert.equal(typeof answer.choices[0].message.content, "string");
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test("a prompt asked again is shared", async () => {
  await client.chat.completions.create(short);
  const answer = await client.chat.completions.create(short);
  assert.ok(answer.usage.prompt_tokens_details.cached_tokens > 0);
});

test("a stream adds up to the same answer", async () => {
  const whole = await client.chat.completions.create(short);
  const stream = await client.chat.completions.create({...short, stream: true, stream_options: {include_usage: true}});
  let text = "", finish = null, usage = null;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    finish = chunk.choices[0]?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(finish, whole.choices[0].finish_reason);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
});

test("the stream helper collects an answer", async () => {
  const stream = client.chat.completions.stream(short);
  const seen = [];
  stream.on("content", (delta) => seen.push(delta));
  const final = await stream.finalChatCompletion();
  assert.equal(seen.join(""), final.choices[0].message.content);
});

test("the same seed gives the same answers, n of them", async () => {
  const many = await client.chat.completions.create({...short, n: 3, temperature: 1.5});
  const again = await client.chat.completions.create({...short, n: 3, temperature: 1.5});
  assert.equal(many.choices.length, 3);
  assert.deepEqual(many.choices.map((c) => c.message.content), again.choices.map((c) => c.message.content));
});

test("a stop string ends an answer and is not shown", async () => {
  const answer = await client.chat.completions.create({...short, temperature: 0, stop: ["in"]});
  assert.ok(!answer.choices[0].message.content.includes("in"));
});

test("tools are called in keeping with their schema", async () => {
  for (const model of [PLAIN, TOOLED]) {
    const answer = await client.chat.completions.create(
      {model, messages, tools: [weather], tool_choice: "required", parallel_tool_calls: false, max_tokens: 400});
    assert.equal(answer.choices[0].finish_reason, "tool_calls");
    const [call] = answer.choices[0].message.tool_calls;
    assert.equal(call.function.name, "get_weather");
    const given = JSON.parse(call.function.arguments);
    assert.ok(["Seoul", "Busan"].includes(given.city) && Number.isInteger(given.days));
    const next = await client.chat.completions.create({
      model, tools: [weather], max_tokens: 5,
      messages: [...messages, answer.choices[0].message, {role: "tool", tool_call_id: call.id, content: "sunny"}],
    });
    assert.ok(next.choices[0].finish_reason);
  }
});

test("calls stream as deltas that the client puts together", async () => {
  const stream = client.chat.completions.stream({
    model: TOOLED, messages, tools: [weather], max_tokens: 400, parallel_tool_calls: false,
    tool_choice: {type: "function", function: {name: "get_weather"}},
  });
  const final = await stream.finalChatCompletion();
  const [call] = final.choices[0].message.tool_calls;
  assert.equal(call.function.name, "get_weather");
  assert.ok(JSON.parse(call.function.arguments).city);
});

test("answers keep to a JSON schema", async () => {
  const schema = {
    type: "object",
    properties: {name: {enum: ["Mina", "Juno"]}, age: {type: "integer", minimum: 1, maximum: 99}},
    required: ["name", "age"],
    additionalProperties: false,
  };
  const answer = await client.chat.completions.create(
    {...short, max_tokens: 200, response_format: {type: "json_schema", json_schema: {name: "person", strict: true, schema}}});
  const person = JSON.parse(answer.choices[0].message.content);
  assert.ok(["Mina", "Juno"].includes(person.name) && Number.isInteger(person.age));
});

test("tokens come with their probabilities", async () => {
  const answer = await client.chat.completions.create({...short, logprobs: true, top_logprobs: 3});
  const tokens = answer.choices[0].logprobs.content;
  assert.ok(tokens.length > 0);
  for (const token of tokens) {
    assert.ok(token.logprob <= 0 && token.top_logprobs.length === 3);
    assert.ok(Array.isArray(token.bytes));
  }
});

test("an answer goes on with a message begun", async () => {
  const whole = await client.chat.completions.create({...short, temperature: 0});
  const text = whole.choices[0].message.content;
  const rest = await client.chat.completions.create({
    ...short, temperature: 0, continue_final_message: true,
    messages: [...messages, {role: "assistant", content: text.slice(0, 2)}],
  });
  assert.ok((text.slice(0, 2) + rest.choices[0].message.content).startsWith(text));
});

test("texts are completed, whole and streamed", async () => {
  const asked = {model: PLAIN, prompt: "Mina likes", max_tokens: 12, seed: 5};
  const whole = await client.completions.create(asked);
  let text = "";
  for await (const chunk of await client.completions.create({...asked, stream: true})) text += chunk.choices[0].text;
  assert.equal(text, whole.choices[0].text);
});

test("embeddings are the same in both formats", async () => {
  const asked = {model: PLAIN, input: ["tea", "rain"]};
  const packed = await client.embeddings.create(asked);
  const plain = await client.embeddings.create({...asked, encoding_format: "float"});
  assert.equal(packed.data.length, 2);
  assert.equal(packed.data[0].embedding.length, plain.data[0].embedding.length);
  plain.data[1].embedding.forEach((x, i) => assert.ok(Math.abs(x - packed.data[1].embedding[i]) < 1e-6));
});

test("responses answer and stream", async () => {
  const asked = {model: PLAIN, instructions: "Be kind.", input: "Who likes tea?", max_output_tokens: 16, temperature: 0};
  const whole = await client.responses.create(asked);
  assert.equal(whole.object, "response");
  const stream = client.responses.stream(asked);
  let text = "";
  stream.on("response.output_text.delta", (event) => (text += event.delta));
  const final = await stream.finalResponse();
  assert.equal(text, whole.output_text);
  assert.equal(final.output[0].content[0].text, whole.output_text);
});

// As the responses API lists a function.
const {function: described} = weather;
const flat = {type: "function", strict: true, ...described};
const asked = {input: messages, tools: [flat], parallel_tool_calls: false, max_output_tokens: 400};

test("responses call functions, and take what these put out", async () => {
  for (const model of [PLAIN, TOOLED]) {
    const answer = await client.responses.create({...asked, model, tool_choice: "required"});
    const [call] = answer.output;
    assert.equal(call.type, "function_call");
    assert.equal(call.name, "get_weather");
    assert.ok(["Seoul", "Busan"].includes(JSON.parse(call.arguments).city));
    const output = {type: "function_call_output", call_id: call.call_id, output: "sunny"};
    const next = await client.responses.create(
      {...asked, model, input: [...messages, ...answer.output, output], tool_choice: "none", max_output_tokens: 5});
    assert.equal(next.output[0].type, "message");
  }
});

test("responses stream the arguments of a call", async () => {
  const stream = client.responses.stream({...asked, model: TOOLED, tool_choice: {type: "function", name: "get_weather"}});
  let told = "", done;
  stream.on("response.function_call_arguments.delta", ({delta, snapshot}) => assert.equal((told += delta), snapshot));
  stream.on("response.function_call_arguments.done", (event) => (done = event));
  const final = await stream.finalResponse();
  assert.equal(final.output[0].arguments, told);
  assert.equal(done.arguments, told);
  assert.ok(Number.isInteger(JSON.parse(told).days));
});

test("errors come as the client's own kinds, naming the field", async () => {
  await assert.rejects(client.chat.completions.create({...short, temperature: -1}), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, "temperature");
    return true;
  });
  await assert.rejects(client.chat.completions.create({...short, model: "none"}), OpenAI.NotFoundError);
  await assert.rejects(client.chat.completions.create({...short, messages: []}), OpenAI.BadRequestError);
  const stranger = new OpenAI({baseURL: `${BASE_URL}/v1`, apiKey: "wrong", maxRetries: 0});
  await assert.rejects(stranger.chat.completions.create(short), OpenAI.AuthenticationError);
});

const running = async () => {
  const reply = await fetch(`${BASE_URL}/metrics`, {headers: {authorization: `Bearer ${API_KEY}`}});
  return Number(/^malssi_num_requests_running (\S+)$/m.exec(await reply.text())[1]);
};

test("an answer that is called off stops, and its place is free", async () => {
  const bias = Object.fromEntries(Array.from({length: 5}, (_, i) => [256 + i, -100]));
  const asked = {...short, max_tokens: 1800, logit_bias: bias, stream: true};
  const stream = await client.chat.completions.create(asked);
  let chunks = 0;
  for await (const _ of stream) if (++chunks === 5) stream.controller.abort();
  for (let i = 0; i < 200 && (await running()) > 0; ++i) await new Promise((done) => setTimeout(done, 20));
  assert.equal(await running(), 0);
  assert.ok((await client.chat.completions.create(short)).choices.length);
});
